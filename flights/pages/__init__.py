"""HTML pages for people: the home page, the page about the data and the explorer."""
