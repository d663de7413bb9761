/** A field: a label, a control, and help or a mistake under it. */
import * as React from 'react';
import { caretIcon } from './icons';

interface IFieldProps {
  readonly label: string;
  readonly help?: string | null;
  readonly error?: string | null;
  /** Draws the control with the ids that tie it to its texts. */
  readonly children: (ids: IControl) => React.ReactNode;
}

export interface IControl {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': boolean;
}

export function Field(props: IFieldProps): React.JSX.Element {
  const id = React.useId();
  const error = props.error ?? null;
  const note = error ?? props.help ?? '';
  const noteId = `${id}-note`;
  return (
    <div className="hy-Field">
      <label htmlFor={id}>{props.label}</label>
      {props.children({
        id,
        'aria-describedby': note ? noteId : undefined,
        'aria-invalid': error !== null
      })}
      {note && (
        <p
          id={noteId}
          className={error === null ? 'hy-Help' : 'hy-Help hy-mod-bad'}
          role={error === null ? undefined : 'alert'}
        >
          {note}
        </p>
      )}
    </div>
  );
}

interface ITextProps extends Omit<IFieldProps, 'children'> {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly testId?: string;
  readonly code?: boolean;
  readonly options?: readonly string[];
  readonly placeholder?: string;
  readonly maxLength?: number;
  readonly number?: boolean;
}

export function TextField(props: ITextProps): React.JSX.Element {
  const list = React.useId();
  const { value, onChange, options } = props;
  return (
    <Field {...props}>
      {control => (
        <>
          <input
            {...control}
            className={props.code ? 'jp-mod-styled hy-Code' : 'jp-mod-styled'}
            data-testid={props.testId}
            type="text"
            inputMode={props.number ? 'decimal' : undefined}
            spellCheck={false}
            autoComplete="off"
            list={options ? list : undefined}
            placeholder={props.placeholder}
            maxLength={props.maxLength}
            value={value}
            onChange={event => {
              onChange(event.target.value);
            }}
          />
          {options && (
            <datalist id={list}>
              {options.map(option => (
                <option key={option} value={option} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

export interface IOption {
  readonly value: string;
  readonly label: string;
  readonly disabled?: boolean;
}

interface ISelectProps extends Omit<IFieldProps, 'children'> {
  readonly value: string;
  readonly options: readonly IOption[];
  readonly onChange: (value: string) => void;
  readonly testId?: string;
}

export function SelectField(props: ISelectProps): React.JSX.Element {
  return (
    <Field {...props}>
      {control => (
        <div className="hy-Select">
          <select
            {...control}
            className="jp-mod-styled"
            data-testid={props.testId}
            value={props.value}
            onChange={event => {
              props.onChange(event.target.value);
            }}
          >
            {props.options.map(option => (
              <option
                key={option.value}
                value={option.value}
                disabled={option.disabled}
              >
                {option.label}
              </option>
            ))}
          </select>
          <caretIcon.react tag="span" className="hy-Icon" aria-hidden />
        </div>
      )}
    </Field>
  );
}
