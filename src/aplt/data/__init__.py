"""What goes in: the index of clips, splits, decoding, the frame cache, views and batches."""
