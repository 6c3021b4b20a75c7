// Runs before Gradio's page does. Svelte makes proxies of plain objects and arrays, and asks them at each read who needs
// to know; what is of a class it leaves alone. A page's description is read a million times, and is never changed.
{
  class Described {}
  class Events extends Array {}
  const {components, dependencies} = window.gradio_config;
  for (const one of [...components, ...dependencies]) Object.setPrototypeOf(one, Described.prototype);
  Object.setPrototypeOf(dependencies, Events.prototype);
}
