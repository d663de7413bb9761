/** An empty list: what will stand here, and the one thing that brings it. */
import * as React from 'react';
import { CopyField } from './CopyField';
import { TextButton } from './Button';

export function Empty(props: {
  readonly text: string;
  readonly snippet?: { readonly label: string; readonly code: string };
  readonly action?: { readonly label: string; readonly run: () => void };
}): React.JSX.Element {
  return (
    <div className="hy-Empty" data-testid="hy-empty">
      <p>{props.text}</p>
      {props.snippet && (
        <CopyField
          label={props.snippet.label}
          value={props.snippet.code}
          code
        />
      )}
      {props.action && (
        <TextButton onClick={props.action.run} testId="hy-empty-action">
          {props.action.label}
        </TextButton>
      )}
    </div>
  );
}
