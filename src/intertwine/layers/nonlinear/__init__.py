"""Non-linearities, typed by representation."""
