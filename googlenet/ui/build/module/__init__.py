"""One Inception module."""
