"""Image -> features: HQ-SAM backbones and the shipped light encoder behind one small interface."""
