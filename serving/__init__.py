"""A request becomes a response: model server, client, load test; never TFX."""
