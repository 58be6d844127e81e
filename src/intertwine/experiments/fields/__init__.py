"""The command `fields`: fields from fields on a sphere, a mesh or the plane."""
