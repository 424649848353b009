"""Completions and spelling beside the model: `Suggester.load(version_folder)`."""

from serving.suggest.answer import SearchAnswer
from serving.suggest.completer import Completion
from serving.suggest.speller import Correction, TermCorrection
from serving.suggest.suggester import Suggester

__all__ = ["Completion", "Correction", "SearchAnswer", "Suggester", "TermCorrection"]
