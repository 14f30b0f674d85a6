'use strict';
(() => {
  const at = (id) => document.getElementById(id);
  const made = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (name) element.className = name;
    return element;
  };
  document.documentElement.classList.add('js');

  // For each axis its name and its values; a run says at which places it is.
  const axes = JSON.parse(at('axes').textContent);
  const runs = [...document.querySelectorAll('.run')].map((card) => ({
    card,
    places: (card.dataset.places || '').split(' ').filter(Boolean).map(Number),
    failed: card.dataset.state === 'failed',
    label: card.querySelector('h2').textContent,
    words: (card.querySelector('.about').textContent + ' ' + card.querySelector('.files').textContent).toLowerCase(),
  }));

  // Filters.
  const filters = at('filters');
  const search = at('search');
  const chosen = [];
  const addChoice = (name, options, matches) => {
    const label = made('label');
    const select = made('select');
    label.append(made('span', name), select);
    select.append(new Option('all', ''));
    options.forEach((text, place) => select.append(new Option(text.length > 60 ? text.slice(0, 59) + '…' : text, place)));
    filters.insertBefore(label, filters.querySelector('.size'));
    chosen.push((run) => select.value === '' || matches(run, Number(select.value)));
  };
  axes.forEach((axis, place) => {
    if (axis.values.length <= 200) addChoice(axis.name, axis.values, (run, value) => run.places[place] === value);
  });
  const failures = runs.filter((run) => run.failed).length;
  if (failures && failures < runs.length) {
    addChoice('state', ['done', 'failed'], (run, state) => run.failed === (state === 1));
  }
  const summary = at('summary');
  const whole = summary.textContent;
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const run of runs) {
      const seen = chosen.every((matches) => matches(run)) && words.every((word) => run.words.includes(word));
      run.card.hidden = !seen;
      count += seen;
    }
    at('nothing').hidden = count > 0 || !runs.length;
    summary.textContent = count === runs.length ? whole : `${count} of ${runs.length} runs`;
  };
  filters.addEventListener('input', filter);
  filters.addEventListener('submit', (event) => event.preventDefault());
  at('all').addEventListener('click', () => {
    filters.reset();
    resize();
    filter();
    search.focus();
  });
  const resize = () => at('runs').style.setProperty('--size', at('size').value + 'px');
  at('size').addEventListener('input', resize);

  // Workflows. Their text is taken as it is: numbers of JavaScript are too short for seeds.
  const workflow = (id) => at(id).textContent.replace(/\\(\\|u003c)/g, (all, what) => (what === 'u003c' ? '<' : all));
  const write = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = made('textarea', text);
      // Within the dialog, if that is open: what is outside of it takes no focus.
      (document.querySelector('dialog[open]') || document.body).append(area);
      area.select();
      const done = document.execCommand('copy');
      area.remove();
      if (!done) throw new Error('the browser does not allow it');
    }
  };
  const say = (button, text) => {
    button.dataset.label ||= button.textContent;
    button.textContent = text;
    clearTimeout(button.timer);
    button.timer = setTimeout(() => (button.textContent = button.dataset.label), 1500);
  };
  const copy = (button, id) => write(workflow(id)).then(() => say(button, 'Copied ✓'), () => say(button, 'Not allowed'));
  const save = (id, name) => {
    const link = made('a');
    link.href = URL.createObjectURL(new Blob([workflow(id)], { type: 'application/json' }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  // The viewer, over the pictures of all runs that are not filtered away.
  const viewer = at('viewer');
  let pictures = [];
  let place = 0;
  let kept = null;
  const values = (run, other) => {
    const list = made('dl');
    axes.forEach((axis, number) => {
      const differs = other && other.places[number] !== run.places[number];
      list.append(made('dt', axis.name), made('dd', axis.values[run.places[number]], differs ? 'differs' : ''));
    });
    return list;
  };
  const fill = (figure, picture, other) => {
    const image = figure.querySelector('img');
    image.src = picture.image.src;
    image.alt = picture.image.alt;
    const caption = figure.querySelector('figcaption');
    const head = made('h2', axes.length ? '' : picture.run.label);
    caption.replaceChildren(...(axes.length ? [values(picture.run, other && other.run)] : [head]));
  };
  const show = () => {
    const picture = pictures[place];
    fill(at('shown'), picture, kept);
    at('kept').hidden = !kept;
    if (kept) fill(at('kept'), kept, picture);
    at('compare').setAttribute('aria-pressed', String(Boolean(kept)));
    at('position').textContent = `${place + 1} of ${pictures.length}`;
    const { file } = picture.button.dataset;
    at('original').hidden = !file;
    if (file) at('original').href = file;
  };
  const step = (by) => {
    place = (place + by + pictures.length) % pictures.length;
    show();
  };
  const compare = () => {
    kept = kept ? null : pictures[place];
    if (kept && pictures.length > 1) step(1);
    else show();
  };
  const open = (button) => {
    pictures = runs
      .filter((run) => !run.card.hidden)
      .flatMap((run) => [...run.card.querySelectorAll('.picture')].map((button) => ({ run, button, image: button.querySelector('img') })));
    place = Math.max(0, pictures.findIndex((picture) => picture.button === button));
    kept = null;
    show();
    viewer.showModal();
  };
  viewer.addEventListener('close', () => {
    const picture = pictures[place];
    if (picture) picture.button.focus();
    for (const image of viewer.querySelectorAll('img')) image.removeAttribute('src');
  });
  at('previous').addEventListener('click', () => step(-1));
  at('next').addEventListener('click', () => step(1));
  at('compare').addEventListener('click', compare);
  at('close').addEventListener('click', () => viewer.close());
  at('viewer-copy').addEventListener('click', (event) => copy(event.target, pictures[place].run.card.dataset.workflow));
  viewer.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const does = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), c: compare }[event.key];
    if (does) {
      event.preventDefault();
      does();
    }
  });
  // A swipe.
  let touch = null;
  at('stage').addEventListener('touchstart', (event) => (touch = event.touches.length === 1 ? event.touches[0] : null), { passive: true });
  at('stage').addEventListener('touchend', (event) => {
    const by = touch ? event.changedTouches[0].clientX - touch.clientX : 0;
    if (Math.abs(by) > 50) step(by < 0 ? 1 : -1);
  });

  document.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.classList.contains('picture')) open(button);
    else if (button.dataset.copy) copy(button, button.dataset.copy);
    else if (button.dataset.save) save(button.dataset.save, button.dataset.name);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && !viewer.open && !event.target.closest('input, select, textarea')) {
      event.preventDefault();
      search.focus();
    }
  });
})();
