"""Images as uint8 tensors, from CIFAR-10, a folder or drawn shapes, and their augmentation."""
