"""`aplt review`: a run's clips in a browser, to be looked at and corrected."""
