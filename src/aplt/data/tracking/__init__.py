"""Skeletons from videos: what a tracker sees in each frame, the main person in it, and a file for each clip."""
