/** The fields of a notebook's parameters: typed, with defaults and help. */
import * as React from 'react';
import type { Parameter } from '../api/types';
import type { IAnswer } from '../hooks';
import { useHubyard } from '../hubyard';
import { type Draft, draftOf, type Drafts, parameterIn } from '../parameters';
import { Field, TextField } from './Field';

export function ParameterFields(props: {
  readonly parameters: readonly Parameter[];
  readonly drafts: Drafts;
  /** What the platform says to them. */
  readonly answer: IAnswer<unknown>;
  readonly onChange: (drafts: Drafts) => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { answer, drafts, parameters } = props;
  const wrong = parameterIn(answer.field);
  if (parameters.length === 0) {
    return (
      <p className="hy-Help">
        {trans.__(
          'Tag a cell "parameters" to change its values from run to run.'
        )}
      </p>
    );
  }
  return (
    <fieldset className="hy-Parameters">
      <legend>{trans.__('Parameters')}</legend>
      {parameters.map(parameter => (
        <ParameterField
          key={parameter.name}
          parameter={parameter}
          draft={drafts[parameter.name] ?? draftOf(parameter)}
          error={parameter.name === wrong ? answer.error : null}
          onChange={draft => {
            props.onChange({ ...drafts, [parameter.name]: draft });
          }}
        />
      ))}
    </fieldset>
  );
}

function ParameterField(props: {
  readonly parameter: Parameter;
  readonly draft: Draft;
  readonly error: string | null;
  readonly onChange: (draft: Draft) => void;
}): React.JSX.Element {
  const { parameter, draft, onChange } = props;
  const testId = `hy-parameter-${parameter.name}`;
  if (typeof draft === 'boolean') {
    return (
      <Field label={parameter.name} help={parameter.help}>
        {control => (
          <input
            {...control}
            type="checkbox"
            data-testid={testId}
            checked={draft}
            onChange={event => {
              onChange(event.target.checked);
            }}
          />
        )}
      </Field>
    );
  }
  return (
    <TextField
      label={parameter.name}
      help={parameter.help}
      error={props.error}
      testId={testId}
      value={draft}
      onChange={onChange}
      code={parameter.declared !== 'str'}
      number={parameter.type === 'int' || parameter.type === 'float'}
    />
  );
}
