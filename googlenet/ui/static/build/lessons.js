// The lessons: a click on the list opens one, a click on a choice answers.
(() => {
  const own = (window.googlenet ??= {});
  const onClick = (element, name, send) => element.addEventListener('click', (event) => {
    const chosen = event.target.closest(`[data-${name}]`)?.dataset[name];
    if (chosen) send(chosen);
  });

  own.chooseLesson = (element, trigger) =>
    onClick(element, 'lesson', (lesson) => trigger('select', {lesson: Number(lesson)}));

  own.chooseAnswer = (element, trigger) => onClick(element, 'answer', (answer) => trigger('select', {answer}));

  // A right answer leads on to the next lesson, a wrong one back into the field, ready to be typed over.
  own.focusAnswer = (outcome) => setTimeout(() => {
    const field = document.querySelector('#lesson-answer input, #lesson-answer textarea');
    if (outcome === 'right') document.getElementById('lesson-next')?.focus();
    else { field?.focus(); field?.select(); }
  }, 60);
})();

// Sections, classes and questions: what of them stands in the address, and what this browser keeps.
(() => {
  const own = (window.googlenet ??= {});
  const asked = (name) => new URL(location).searchParams.get(name);
  const change = (edit) => {
    const url = new URL(location);
    edit(url.searchParams);
    history.replaceState(history.state, '', url);
  };
  const address = (parts) => {
    const url = new URL(location);
    url.search = new URLSearchParams({tab: 'build', view: 'lessons', ...parts});
    url.hash = '';
    return url.toString();
  };

  own.keepSection = (section) => change((parts) => parts.set('lesson', section));
  const page = () => document.getElementById('tabs')?.parentElement;
  const large = (on) => page()?.classList.toggle('gl-projector', on);
  own.projector = (on) => {
    large(on);
    change((parts) => on ? parts.set('projector', '1') : parts.delete('projector'));
  };
  own.openSection = () => {
    const known = ['why', 'exercises', 'challenges', 'heads', 'question', 'class'];
    const wanted = asked('class') ? 'class' : asked('question') ? 'question' : asked('lesson');
    large(asked('projector') === '1');
    return [known.includes(wanted) ? wanted : 'exercises', asked('projector') === '1'];
  };

  // A student's answers stay in this browser, under the link of the class.
  const shelf = (text) => `googlenet-class ${text}`;
  own.openDesk = () => {
    const text = asked('class');
    if (!text || asked('key') !== null) return null;
    try {
      const kept = JSON.parse(localStorage.getItem(shelf(text)));
      if (kept?.class === text) return kept;
    } catch { /* what is kept cannot be read: begin anew */ }
    return {class: text};
  };
  own.keepDesk = (desk) => {
    try {
      if (desk?.class) localStorage.setItem(shelf(desk.class), JSON.stringify(desk));
    } catch { /* a full or forbidden storage: the answers last as long as the page */ }
  };

  // The teacher's two links; `made` is JSON, {class, key}.
  own.classLinks = (made) => {
    if (!made) return ['', ''];
    const {class: text, key} = JSON.parse(made);
    return [address({class: text}), address({class: text, key})];
  };
  own.classInAddress = () =>
    asked('class') && asked('key') !== null ? JSON.stringify({class: asked('class'), key: asked('key')}) : '';

  // Printing shows the handout alone: what it lies in is marked, and all beside that is hidden.
  own.markHandout = () => {
    document.querySelectorAll('.gl-printed').forEach((part) => part.classList.remove('gl-printed'));
    let part = document.querySelector('.gl-handout')?.parentElement;
    for (; part && part !== page()?.parentElement; part = part.parentElement) part.classList.add('gl-printed');
  };

  own.questionLink = (item) => item ? address({question: item}) : '';
  own.questionInAddress = () => asked('question') ?? '';

  // What was just put into a field is not the button's to read before the page has taken it in.
  own.pressSoon = (button, field) => setTimeout(() => {
    if (document.querySelector(`#${field} textarea, #${field} input`)?.value) document.getElementById(button)?.click();
  }, 120);

  // A link into the builder keeps the class, so that its tasks are still there when one comes back.
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('.gl-desk a[href^="?tab=build"]');
    if (!link || !asked('class')) return;
    const parts = new URLSearchParams(link.getAttribute('href'));
    parts.set('class', asked('class'));
    link.href = `?${parts}`;
  }, true);
})();
