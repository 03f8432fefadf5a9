"""HTML pages: the home page, the page about the data, and the explorer."""
