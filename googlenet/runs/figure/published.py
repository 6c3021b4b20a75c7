"""What the class note quotes of its own training, to lay beside a run: nothing here was measured by the lab."""

# Epoch from 0, loss and accuracy on the images it learned from, as the note prints them.
NOTE = (
    (0, 2.3027, 0.1000),
    (199, 0.7501, 0.7307),
    (299, 0.3771, 0.8706),
    (499, 0.0636, 0.9868),
    (699, 0.0367, 0.9951),
    (899, 0.9127, 0.6452),
    (999, 0.0140, 0.9970),
)
