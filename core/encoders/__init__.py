"""Image -> features: HQ-SAM's encoders and the shipped light encoder behind one small interface."""
