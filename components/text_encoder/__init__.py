"""Items and what people did become a text encoder and one vector per item."""
