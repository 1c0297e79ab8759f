"""Are picture and sound together after hours? Flashes and beeps through a whole origin, measured in every rendition."""
