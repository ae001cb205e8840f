"""What learns: encoders by name, and the recognizer made of one."""
