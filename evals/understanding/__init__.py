"""What the learned reader of questions is trained on, and how often it is right on families that it has not seen."""
