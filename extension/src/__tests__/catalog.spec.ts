import { quoteName } from '../model/catalog';

describe('quoteName', () => {
  it.each([
    ['message_metrics', 'message_metrics'],
    ['Total', '"Total"'],
    ['a b', '"a b"'],
    ['say "x"', '"say ""x"""']
  ])('writes %s as %s', (name, written) => {
    expect(quoteName(name)).toBe(written);
  });
});
