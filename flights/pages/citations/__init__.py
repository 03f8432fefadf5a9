"""Citations: a figure kept with its values, picture and version, for articles and papers."""
