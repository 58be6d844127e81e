"""Triangle meshes as spaces."""
