import type { JSONValue } from '@lumino/coreutils';

import { isRecord } from '../answer';

/** How a parameter is asked for; `json` is everything that no field fits. */
export type ParameterKind =
  'text' | 'secret' | 'integer' | 'number' | 'boolean' | 'choice' | 'json';

/** One parameter of a report, as its JSON Schema has it. */
export interface IParameter {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly description: string;
  readonly isRequired: boolean;
  /** What may be chosen; empty unless it is a choice. */
  readonly choices: readonly JSONValue[];
  /** As it is typed; empty when the notebook has the default. */
  readonly preset: string;
}

/** Values by name, as the server takes them. */
export type Values = Readonly<Record<string, JSONValue>>;

/** What was typed, by name; an absent or empty one keeps the default of the notebook. */
export type Typed = Readonly<Record<string, string>>;

/** The parameters that a JSON Schema of an object describes. */
export function readParameters(schema: unknown): readonly IParameter[] {
  const described = isRecord(schema) ? schema : {};
  const { properties, required } = described;
  const needed: readonly unknown[] = Array.isArray(required) ? required : [];
  return Object.entries(isRecord(properties) ? properties : {}).map(
    ([name, rule]) =>
      readParameter(name, isRecord(rule) ? rule : {}, needed.includes(name))
  );
}

function readParameter(
  name: string,
  rule: Readonly<Record<string, unknown>>,
  isRequired: boolean
): IParameter {
  const kind = kindOf(rule);
  const preset = rule['default'] as JSONValue | undefined;
  return {
    name,
    kind,
    description:
      typeof rule['description'] === 'string' ? rule['description'] : '',
    isRequired,
    choices: kind === 'choice' ? (rule['enum'] as JSONValue[]) : [],
    preset: preset === undefined ? '' : show(preset, kind)
  };
}

function kindOf(rule: Readonly<Record<string, unknown>>): ParameterKind {
  if (Array.isArray(rule['enum'])) {
    return 'choice';
  }
  switch (rule['type']) {
    case 'string':
      return rule['secret'] === true ? 'secret' : 'text';
    case 'integer':
    case 'number':
    case 'boolean':
      return rule['type'];
    default:
      return 'json';
  }
}

/** A value as it is typed into the field of its kind. */
export function show(value: JSONValue, kind: ParameterKind): string {
  const isPlain = kind === 'text' && typeof value === 'string';
  return isPlain ? value : JSON.stringify(value);
}

/**
 * What was typed, as values; whether they fit is for the server to say.
 *
 * A text that is no number or no JSON goes as text, and the server names the field.
 */
export function readValues(
  parameters: readonly IParameter[],
  typed: Typed
): Values {
  const values: Record<string, JSONValue> = {};
  for (const parameter of parameters) {
    const text = typed[parameter.name] ?? parameter.preset;
    const isGiven = text !== '' || isEmptied(parameter, typed);
    if (isGiven) {
      values[parameter.name] = readValue(parameter, text);
    }
  }
  return values;
}

/** A text that had a preset and was emptied is the empty text. */
function isEmptied(parameter: IParameter, typed: Typed): boolean {
  return (
    parameter.kind === 'text' &&
    parameter.preset !== '' &&
    typed[parameter.name] === ''
  );
}

function readValue({ kind }: IParameter, text: string): JSONValue {
  if (kind === 'text' || kind === 'secret') {
    return text;
  }
  try {
    return JSON.parse(text) as JSONValue;
  } catch {
    return text;
  }
}
