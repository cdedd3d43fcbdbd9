"""BoxRefine without a window: images, features, refiner, project store, training and formats; no Qt below here."""
