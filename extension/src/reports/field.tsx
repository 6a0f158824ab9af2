import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONValue } from '@lumino/coreutils';
import React from 'react';

import { type IParameter, show } from './parameters';

interface IFieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  /** Why the server refused the value; null when it did not. */
  readonly fault: string | null;
  readonly isRequired: boolean;
  /** The control; it gets the attributes that tie it to label, hint and fault. */
  readonly control: (ties: ITies) => React.JSX.Element;
}

/** What every control carries, so that everybody hears what is seen around it. */
export interface ITies {
  readonly id: string;
  readonly className: string;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': boolean;
  readonly 'aria-required': boolean;
}

/** A control with its label above, and what is to say about it below. */
export function Field(props: IFieldProps): React.JSX.Element {
  const { id, label, hint, fault, isRequired, control } = props;
  return (
    <div className="hx-Field">
      <label htmlFor={id}>
        {label}
        {isRequired && ' *'}
      </label>
      {control({
        id,
        className: 'hx-Field-control',
        'aria-describedby': `${id}-hint ${id}-fault`,
        'aria-invalid': fault !== null,
        'aria-required': isRequired
      })}
      <p id={`${id}-hint`} className="hx-Detail">
        {hint}
      </p>
      <p id={`${id}-fault`} className="hx-Field-fault">
        {fault !== null && `✕ ${fault}`}
      </p>
    </div>
  );
}

interface IParameterControlProps {
  readonly parameter: IParameter;
  readonly value: string;
  readonly ties: ITies;
  readonly trans: TranslationBundle;
  readonly onChange: (value: string) => void;
}

/** What a parameter is typed into or chosen from. */
export function ParameterControl(
  props: IParameterControlProps
): React.JSX.Element {
  const { parameter, value, ties } = props;
  const onChange = (
    event: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>
  ) => {
    props.onChange(event.target.value);
  };
  if (parameter.kind === 'choice' || parameter.kind === 'boolean') {
    return <Choice {...props} />;
  }
  if (parameter.kind === 'json') {
    return <textarea {...ties} rows={3} value={value} onChange={onChange} />;
  }
  return (
    <input
      {...ties}
      {...INPUTS[parameter.kind]}
      value={value}
      onChange={onChange}
    />
  );
}

const INPUTS = {
  text: { type: 'text' },
  // Text, so that what is no number reaches the server, which says what is wrong with it.
  integer: { type: 'text', inputMode: 'numeric' },
  number: { type: 'text', inputMode: 'decimal' },
  secret: { type: 'password', autoComplete: 'off' }
} as const;

function Choice(props: IParameterControlProps): React.JSX.Element {
  const { parameter, value, ties, trans, onChange } = props;
  const choices: readonly JSONValue[] =
    parameter.kind === 'boolean' ? [true, false] : parameter.choices;
  return (
    <select
      {...ties}
      value={value}
      onChange={event => {
        onChange(event.target.value);
      }}
    >
      {parameter.preset === '' && (
        <option value="">{trans.__('as the notebook has it')}</option>
      )}
      {choices.map(choice => {
        const text = show(choice, parameter.kind);
        return (
          <option key={text} value={text}>
            {word(choice, trans)}
          </option>
        );
      })}
    </select>
  );
}

function word(choice: JSONValue, trans: TranslationBundle): string {
  switch (choice) {
    case true:
      return trans.__('yes');
    case false:
      return trans.__('no');
    case '':
      return trans.__('(empty)');
    default:
      return typeof choice === 'string' ? choice : JSON.stringify(choice);
  }
}
