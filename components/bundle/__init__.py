"""Bundle: retriever, ranker, tables and catalogue become one SavedModel."""
