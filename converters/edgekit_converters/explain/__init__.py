"""Why candidates failed: facts of their error and time, and rules over those facts."""
