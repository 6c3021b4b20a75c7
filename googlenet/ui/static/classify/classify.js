// A refused picture leaves its field; one that no browser can draw is replaced by a PNG of its pixels. Here and not on
// the server, since another picture may have been chosen while the answer was on its way: that one stays.
(window.googlenet ??= {}).replacePicture = (picture, replaced) =>
  replaced?.instead_of && picture?.path === replaced.instead_of ? replaced.put : undefined;
