"""Words in: text analysis and the inverted index inside the graph."""
