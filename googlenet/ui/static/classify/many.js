// Classify, Many pictures: files, folders and zips are sent with the folders they lay in, which Gradio's own upload
// forgets; and the table's filters, headings, pages and rows.
(() => {
  const own = (window.googlenet ??= {});
  const AT_ONCE = 40, BYTES_AT_ONCE = 20_000_000; // of one request
  const number = (count) => count.toLocaleString('en-US');
  const order = new Intl.Collator('en', {numeric: true});

  // What is in a dropped folder comes in portions of at most 100.
  const entriesOf = async (folder) => {
    const reader = folder.createReader(), all = [];
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return all;
      all.push(...some);
    }
  };
  const walk = async (entry, found) => {
    if (entry.isDirectory) {
      for (const inner of await entriesOf(entry)) await walk(inner, found);
    } else {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.push({file, name: entry.fullPath.replace(/^\//, '')});
    }
  };

  const send = async (files, told) => {
    const paths = [];
    for (let start = 0; start < files.length; ) {
      const body = new FormData();
      let end = start, bytes = 0;
      while (end < files.length && end - start < AT_ONCE && (end === start || bytes + files[end].file.size < BYTES_AT_ONCE)) {
        bytes += files[end].file.size;
        body.append('files', files[end].file, files[end].file.name);
        end += 1;
      }
      const answer = await fetch('gradio_api/upload', {method: 'POST', body});
      if (!answer.ok) throw new Error(answer.status === 413
        ? own.tr('a file is too large') : own.tr('the lab answered {status}', {status: answer.status}));
      paths.push(...(await answer.json()));
      start = end;
      told(start);
    }
    return paths;
  };

  own.pickPictures = (element, arrived) => {
    const picker = element.querySelector('.gl-picker'), status = element.querySelector('.gl-picker-status');
    const inputs = [...element.querySelectorAll('input')], {endings, files: most, bytes, total} = picker.dataset;
    const known = endings.split(' ');
    const say = (text, refused = false) => {
      status.textContent = text;
      status.classList.toggle('gl-refused', refused);
    };
    // Of a folder only what is named like a picture is sent; a file chosen by itself always is.
    const isPicture = ({name}) => !name.includes('/') || known.some((ending) => name.toLowerCase().endsWith(ending))
      || name.toLowerCase().endsWith('.zip');

    const refusal = (files) => {
      const large = files.find(({file}) => file.size > Number(bytes));
      if (large) {
        const sizes = {mb: number(Math.round(large.file.size / 1e6)), most: number(bytes / 1e6)};
        return own.tr('{name} has {mb} MB: the limit is {most}.', {name: large.name, ...sizes});
      }
      if (files.length > Number(most)) {
        return own.tr('These are {n} files: the limit is {most}.', {n: number(files.length), most: number(Number(most))});
      }
      const sum = files.reduce((all, {file}) => all + file.size, 0);
      if (sum <= Number(total)) return '';
      const sizes = {gb: (sum / 1e9).toFixed(1), most: total / 1e9};
      return own.tr('These files have {gb} GB together: the limit is {most} GB.', sizes);
    };

    const take = async (all) => {
      if (!all.length) return;
      // A folder comes in the order of the disk: people look for theirs by name.
      if (all.some(({name}) => name.includes('/'))) all.sort((a, b) => order.compare(a.name, b.name));
      const files = all.filter(isPicture), foreign = all.filter((one) => !isPicture(one)).map(({name}) => name);
      const refused = refusal(files);
      if (refused) return say(refused, true);
      inputs.forEach((input) => { input.disabled = true; });
      picker.classList.add('gl-sending');
      try {
        const told = (done) => say(own.tr('Sent {n} of {total} files …', {n: number(done), total: number(files.length)}));
        told(0);
        const paths = await send(files, told);
        say('');
        arrived({files: paths.map((path, index) => ({path, name: files[index].name})), foreign: foreign.slice(0, 20000)});
      } catch (error) {
        say(own.tr('Nothing was sent ({reason}): try again.', {reason: error.message}), true);
      }
      inputs.forEach((input) => { input.disabled = false; input.value = ''; });
      picker.classList.remove('gl-sending');
    };

    for (const input of inputs) {
      input.addEventListener('change', () =>
        take([...input.files].map((file) => ({file, name: file.webkitRelativePath || file.name}))));
    }
    for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
      picker.addEventListener(kind, (event) => {
        event.preventDefault();
        picker.classList.toggle('gl-over', kind === 'dragenter' || kind === 'dragover');
      });
    }
    picker.addEventListener('drop', async (event) => {
      // Before anything is waited for: what was dropped is gone then. Not everything that is a file has an entry.
      const items = [...event.dataTransfer.items].filter(({kind}) => kind === 'file'), found = [];
      const dropped = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
      try {
        for (const one of dropped) {
          if (one instanceof File) found.push({file: one, name: one.name});
          else await walk(one, found);
        }
        await take(found);
      } catch (error) {
        const reason = error.message;
        say(own.tr('What was dropped cannot be read ({reason}): choose it with the buttons.', {reason}), true);
      }
    });
  };

  // The table comes anew from the server: the button that was pressed keeps the focus.
  own.manyPressed = (element, choose, open, watch) => {
    let pressed = null;
    element.addEventListener('click', (event) => {
      const button = event.target.closest('[data-show]'), row = event.target.closest('[data-open]');
      if (button) {
        pressed = button.dataset.key;
        if (pressed.startsWith('only-')) { // the cell whose pictures were shown is chosen no longer
          document.querySelector('.gl-many-matrix [aria-pressed]')?.removeAttribute('aria-pressed');
        }
        choose({show: button.dataset.show});
      } else if (row) {
        open({row: Number(row.dataset.open)});
      }
    });
    watch('value', () => {
      if (pressed) element.querySelector(`[data-key="${CSS.escape(pressed)}"]`)?.focus({preventScroll: true});
      if (pressed === 'before' || pressed === 'after') element.scrollIntoView({block: 'start'});
      pressed = null;
    });
  };
})();
