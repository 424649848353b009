"""The two-tower Retriever: data, model, fitting, evaluation."""
