import type { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import { act } from 'react';

import { TABLE_MIME, readTable, showCell } from '../results/data';
import { TablePages } from '../results/model';
import { makeRendererFactory } from '../results/renderer';
import { serverWith } from './server';

const EVIL = [
  '<img src=x onerror="document.title=1">',
  '<button data-commandlinker-command="apputils:reset">go</button>',
  '**bold** [link](javascript:alert(1))',
  '<script>document.title = 1</script>'
];

/** A result of five rows as the kernel gives it: two stored, all of them on the server. */
function bundle(more: object = {}) {
  return {
    columns: [
      { name: 'n', type: 'int64' },
      { name: 't', type: 'string' }
    ],
    rows: [
      [0, 'a'],
      [1, 'b']
    ],
    fetched_rows: 5,
    total_rows: 5,
    is_truncated: false,
    elapsed_ms: 3,
    result_id: 'r1',
    kept_rows: 5,
    ...more
  };
}

const page = (...rows: unknown[][]) => ({ body: { rows } });
const PATH = 'GET /v1/results/r1';

/** Pages whose server answers by `offset, sort, descending`. */
function makePages(
  answer: (asked: string) => Promise<unknown[][]>,
  more: object = {}
) {
  const table = readTable(bundle(more));
  if (table === null) {
    throw new Error('no table');
  }
  return new TablePages(table, (_, { offset, sort, descending }) =>
    answer([offset, sort, descending].join(' '))
  );
}

describe('a table in an output', () => {
  it('is read', () => {
    expect(readTable(bundle())).toMatchObject({
      totalRows: 5,
      keptRows: 5,
      resultId: 'r1'
    });
  });

  it.each([
    null,
    'x',
    [],
    {},
    { columns: [] },
    { columns: {}, rows: [] },
    { columns: [], rows: [1] }
  ])('is refused where it has another shape: %j', value => {
    expect(readTable(value)).toBeNull();
  });

  it('keeps to texts where a notebook says something else', () => {
    const table = readTable({
      ...bundle({ result_id: 7, total_rows: 'many', kept_rows: -1 }),
      columns: [{ name: 3 }, null]
    });

    expect(table).toMatchObject({
      columns: [
        { name: '', type: '' },
        { name: '', type: '' }
      ],
      resultId: null,
      totalRows: null,
      keptRows: 0
    });
  });

  it.each([
    [null, 'NULL'],
    [undefined, 'NULL'],
    [true, 'true'],
    [0.5, '0.5'],
    ['a\r\nb\nc', 'a⏎b⏎c'],
    ['\u001b[2J\u0007\u009b', '␛[2J␇␡'],
    [{ a: [1] }, '{"a":[1]}']
  ])('shows %j as %s', (value, shown) => {
    expect(showCell(value)).toBe(shown);
  });
});

describe('TablePages', () => {
  const echo = (asked: string) => Promise.resolve([[asked]]);

  it('shows what the notebook keeps, and asks nobody', () => {
    const pages = makePages(() => Promise.reject(new Error('asked')));

    expect([pages.rows.length, pages.offset, pages.lastOffset]).toEqual([
      2, 0, 4
    ]);
  });

  it.each([
    [2, 2],
    [99, 4],
    [-1, 0]
  ])('goes to %i within its limits', async (target, offset) => {
    const pages = makePages(echo);

    await pages.goTo(target);

    expect(pages.offset).toBe(offset);
    expect(pages.rows[0]?.[0]).toBe(offset === 0 ? 0 : `${offset}  false`);
  });

  it('sorts up, then down, then not at all, each from the first page', async () => {
    const pages = makePages(echo);
    await pages.goTo(4);
    const seen = [];

    for (let time = 0; time < 3; time++) {
      await pages.sortBy(1);
      seen.push([pages.offset, pages.rows[0]?.[0], pages.order?.descending]);
    }

    expect(seen).toEqual([
      [0, '0 1 false', false],
      [0, '0 1 true', true],
      [0, 0, undefined]
    ]);
  });

  it('keeps the order over pages', async () => {
    const pages = makePages(echo);
    await pages.sortBy(1);

    await pages.goTo(2);

    expect(pages.rows).toEqual([['2 1 false']]);
  });

  it('shows the last page that was asked for, whichever comes last', async () => {
    const answers = new Map<string, (rows: unknown[][]) => void>();
    const pages = makePages(
      asked =>
        new Promise(resolve => {
          answers.set(asked, resolve);
        })
    );
    const first = pages.goTo(2);
    const second = pages.goTo(4);
    expect(pages.isAsking).toBe(true);

    answers.get('4  false')?.([['second']]);
    await second;
    answers.get('2  false')?.([['first']]);
    await first;

    expect([pages.rows[0]?.[0], pages.offset, pages.isAsking]).toEqual([
      'second',
      4,
      false
    ]);
  });

  it('stays where it is when the server is away, and goes on when it is back', async () => {
    let isAway = true;
    const pages = makePages(asked =>
      isAway ? Promise.reject(new Error('away')) : echo(asked)
    );

    await pages.goTo(2);
    expect([pages.offset, pages.error?.message, pages.isKept]).toEqual([
      0,
      'away',
      true
    ]);
    isAway = false;
    await pages.goTo(2);

    expect([pages.offset, pages.error]).toEqual([2, null]);
  });
});

describe('the renderer', () => {
  async function render(
    data: object,
    settings: ServerConnection.ISettings = serverWith({})
  ) {
    const trans = nullTranslator.load('helix_lab');
    const factory = makeRendererFactory({ settings, trans });
    const renderer = factory.createRenderer({
      mimeType: TABLE_MIME
    } as IRenderMime.IRendererOptions);
    await act(async () => {
      Widget.attach(renderer, document.body);
      await renderer.renderModel({ data } as unknown as IRenderMime.IMimeModel);
    });
    return renderer.node;
  }

  const texts = (node: Element, selector: string) =>
    [...node.querySelectorAll(selector)].map(found => found.textContent);

  async function press(node: Element, label: string) {
    await act(async () => {
      node
        .querySelector<HTMLButtonElement>(`button[aria-label="${label}"]`)
        ?.click();
      await new Promise(resolve => setTimeout(resolve));
    });
  }

  /** Until the answer of the server is seen. */
  async function see(node: Element, text: string) {
    for (let time = 0; time < 500; time++) {
      if (node.textContent.includes(text)) {
        return;
      }
      await act(async () => {
        await new Promise(resolve => setTimeout(resolve, 10));
      });
    }
    throw new Error(`"${text}" is not in "${node.textContent}"`);
  }

  beforeAll(() => {
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  });

  afterEach(() => {
    document.body.replaceChildren();
  });

  it('shows a table with a caption, headings and numbered rows', async () => {
    const node = await render({ [TABLE_MIME]: bundle() });

    expect(texts(node, 'caption')).toEqual(['5 rows, 2 columns, 3 ms']);
    expect(texts(node, 'tbody th[scope=row]')).toEqual(['1', '2']);
    expect(texts(node, 'td')).toEqual(['0', 'a', '1', 'b']);
    expect(node.querySelector('[role=region]')?.getAttribute('tabindex')).toBe(
      '0'
    );
  });

  it.each(EVIL)('shows %s as text', async evil => {
    const column = { name: evil, type: evil };
    const node = await render({
      [TABLE_MIME]: bundle({
        columns: [column],
        rows: [[evil], [{ [evil]: evil }]]
      })
    });

    expect(texts(node, 'td')[0]).toBe(evil);
    expect(node.querySelectorAll('img, script, a, td *')).toHaveLength(0);
    expect(node.querySelectorAll('[data-commandlinker-command]')).toHaveLength(
      0
    );
  });

  it('asks the server for the next page', async () => {
    const asked: string[] = [];
    const settings = serverWith(
      { [`${PATH}?offset=2&limit=2`]: page([2, 'c'], [3, 'd']) },
      asked
    );
    const node = await render({ [TABLE_MIME]: bundle() }, settings);
    expect(asked).toEqual([]);

    await press(node, 'Next page');
    await see(node, 'Rows 3 to 4 of 5');

    expect(texts(node, 'td')).toEqual(['2', 'c', '3', 'd']);
    expect(texts(node, 'tbody th')).toEqual(['3', '4']);
  });

  it('sorts by a heading, and says so to readers', async () => {
    const query = 'offset=0&limit=2&descending=false&sort=1';
    const settings = serverWith({ [`${PATH}?${query}`]: page([9, 'z']) });
    const node = await render({ [TABLE_MIME]: bundle() }, settings);

    await press(node, 'Sort by t');
    await see(node, 'z');

    const sorts = [...node.querySelectorAll('th[aria-sort]')].map(heading =>
      heading.getAttribute('aria-sort')
    );
    expect(sorts).toEqual(['none', 'ascending']);
  });

  it('shows what is stored, and how to get the rest, when the result is gone', async () => {
    const gone = {
      status: 404,
      body: { error: { code: 'RESULT_NOT_FOUND', message: 'gone' } }
    };
    const settings = serverWith({ [`${PATH}?offset=4&limit=2`]: gone });
    const node = await render({ [TABLE_MIME]: bundle() }, settings);

    await press(node, 'Last page');
    await see(node, 'The notebook keeps the first 2 rows. Run the cell again');

    expect(texts(node, 'td')).toEqual(['0', 'a', '1', 'b']);
    expect(node.querySelectorAll('button')).toHaveLength(0);
  });

  it('says how to get the rest where no server ever kept it', async () => {
    const node = await render({
      [TABLE_MIME]: bundle({ result_id: null, kept_rows: 0 })
    });

    expect(node.textContent).toContain('Run the cell again');
    expect(node.querySelectorAll('button')).toHaveLength(0);
  });

  it('says when the server has only a part', async () => {
    const node = await render({
      [TABLE_MIME]: bundle({ total_rows: null })
    });

    expect(node.textContent).toContain('more than 5 rows');
    expect(node.textContent).toContain('The server keeps the first 5 rows');
  });

  it('shows the columns of a result without rows', async () => {
    const node = await render({
      [TABLE_MIME]: bundle({ rows: [], total_rows: 0, kept_rows: 0 })
    });

    expect(texts(node, 'caption')).toEqual(['0 rows, 2 columns, 3 ms']);
    expect(node.querySelectorAll('thead th')).toHaveLength(3);
    expect(node.querySelector('[role=group]')).toBeNull();
  });

  it('shows five hundred columns', async () => {
    const names = Array.from({ length: 500 }, (_, number) => `c${number}`);
    const node = await render({
      [TABLE_MIME]: bundle({
        columns: names.map(name => ({ name, type: 'string' })),
        rows: [names]
      })
    });

    expect(texts(node, 'td')).toEqual(names);
  });

  it('shows the text of the output where the table cannot be read', async () => {
    const node = await render({
      [TABLE_MIME]: { rows: 1 },
      'text/plain': '<b>n</b>'
    });

    expect(node.textContent).toBe('<b>n</b>');
  });
});
