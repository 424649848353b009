"""What a bundle asks of the device that it is served on."""
