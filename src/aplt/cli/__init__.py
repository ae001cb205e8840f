"""The command line: verbs. Heavy imports stand inside each verb, so that --help answers at once."""
