"""The streamer's origin: signs segments and admits viewers."""
