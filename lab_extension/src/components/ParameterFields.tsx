/** The fields of a notebook's parameters: typed, with defaults and help. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Parameter } from '../api/types';
import { useHubyard } from '../hubyard';
import { type Draft, draftOf, type Drafts, type Mistake } from '../parameters';
import { Field, TextField } from './Field';

export function ParameterFields(props: {
  readonly parameters: readonly Parameter[];
  readonly drafts: Drafts;
  readonly mistakes: Readonly<Record<string, Mistake>>;
  readonly onChange: (drafts: Drafts) => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { drafts, parameters } = props;
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
          mistake={props.mistakes[parameter.name]}
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
  readonly mistake: Mistake | undefined;
  readonly onChange: (draft: Draft) => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
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
      error={props.mistake ? wordsOfMistake(trans, props.mistake) : null}
      testId={testId}
      value={draft}
      onChange={onChange}
      code={parameter.type !== 'str'}
      number={parameter.type === 'int' || parameter.type === 'float'}
    />
  );
}

function wordsOfMistake(trans: TranslationBundle, mistake: Mistake): string {
  switch (mistake) {
    case 'int':
      return trans.__('Write a whole number.');
    case 'float':
      return trans.__('Write a number, such as 0.1.');
    case 'list':
      return trans.__('Write a list, such as [1, 2].');
    case 'dict':
      return trans.__('Write an object, such as {"a": 1}.');
    case 'json':
      return trans.__('Write JSON: a text goes in double quotes.');
  }
}
