/** The server was reached and refused; `code` is one of the codes of the REST contract. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** The field at fault, where the server names one. */
    readonly field: string | null = null
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** Reads the fields of one JSON object, and throws `ApiError` where they have another shape. */
export class Fields {
  private readonly values: Readonly<Record<string, unknown>>;

  constructor(body: unknown) {
    this.values = isRecord(body) ? body : {};
  }

  text(field: string): string {
    const value = this.values[field];
    return typeof value === 'string' ? value : refuse(field, 'a text');
  }

  optionalText(field: string): string | null {
    return (this.values[field] ?? null) === null ? null : this.text(field);
  }

  /** The value as it is; null where there is none. */
  value(field: string): unknown {
    return this.values[field] ?? null;
  }

  number(field: string): number {
    const value = this.values[field];
    return typeof value === 'number' ? value : refuse(field, 'a number');
  }

  optionalNumber(field: string): number | null {
    return (this.values[field] ?? null) === null ? null : this.number(field);
  }

  texts(field: string): readonly string[] {
    const value = this.values[field];
    return Array.isArray(value) && value.every(item => typeof item === 'string')
      ? value
      : refuse(field, 'a list of texts');
  }

  /** An object whose fields are not known before. */
  optionalRecord(field: string): Readonly<Record<string, unknown>> | null {
    const value = this.values[field] ?? null;
    return value === null || isRecord(value)
      ? value
      : refuse(field, 'an object');
  }

  oneOf<T extends string>(field: string, allowed: readonly T[]): T {
    const value = this.values[field];
    const found = allowed.find(word => word === value);
    return found ?? refuse(field, allowed.join(' or '));
  }

  list<T>(field: string, read: (fields: Fields) => T): readonly T[] {
    const value = this.values[field];
    return Array.isArray(value)
      ? value.map(item => read(new Fields(item)))
      : refuse(field, 'a list');
  }

  record<T>(
    field: string,
    read: (fields: Fields, name: string) => T
  ): Readonly<Record<string, T>> {
    const value = this.values[field];
    if (!isRecord(value)) {
      return refuse(field, 'an object');
    }
    const fields = new Fields(value);
    const names = Object.keys(value);
    return Object.fromEntries(names.map(name => [name, read(fields, name)]));
  }

  /** As `record`; empty where there is none, as on a server of another version. */
  recordIfAny<T>(
    field: string,
    read: (fields: Fields, name: string) => T
  ): Readonly<Record<string, T>> {
    return (this.values[field] ?? null) === null
      ? {}
      : this.record(field, read);
  }

  optional<T>(field: string, read: (fields: Fields) => T): T | null {
    const value = this.values[field] ?? null;
    return value === null ? null : read(new Fields(value));
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(field: string, expected: string): never {
  throw new ApiError(
    200,
    'bad_answer',
    `field "${field}" of the answer is not ${expected}`
  );
}
