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
