"""The offline phase: the network stands still, and every clip is looked at once to decide what to believe."""
