"""Pusher: a blessed bundle becomes the next served version, complete before visible."""
