// Classify → Why: the address keeps what was asked: class, other class and method. The picture is nobody else's.
(() => {
  const own = (window.googlenet ??= {});
  const METHODS = ["occlusion", "grad-cam", "integrated gradients"];  // values, in every language

  own.keepWhy = (target, against, method) => {
    const url = new URL(location);
    for (const [name, value] of Object.entries({why: target, against, method})) url.searchParams.set(name, value);
    history.replaceState(history.state, '', url);
  };

  // The address knows what was chosen last, by a link or by hand; the fields know it where the address is silent.
  own.askedWhy = (network, target, against) => {
    const asked = new URL(location).searchParams;
    return [network, asked.get('why') ?? target, asked.get('against') ?? against];
  };

  own.openWhy = (method) => {
    const asked = new URL(location).searchParams.get('method');
    return METHODS.includes(asked) ? asked : method;
  };
})();
