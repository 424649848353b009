"""What runs inside the containers: the entry point of each kind of step."""
