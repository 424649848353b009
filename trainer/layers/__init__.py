"""Keras layers that retriever and others share; one public class per file."""
