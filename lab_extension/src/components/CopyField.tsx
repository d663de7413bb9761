/** A text to take away: one line or some code, with a button that copies it. */
import { Clipboard } from '@jupyterlab/apputils';
import * as React from 'react';
import { useHubyard } from '../hubyard';
import { IconButton } from './Button';
import { copyIcon, doneIcon } from './icons';

const THANKS_MS = 2_000;

export function CopyField(props: {
  readonly label: string;
  readonly value: string;
  readonly code?: boolean;
  readonly testId?: string;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const [copied, setCopied] = React.useState(false);
  React.useEffect(() => {
    const timer = setTimeout(() => {
      setCopied(false);
    }, THANKS_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [copied]);
  const copy = () => {
    Clipboard.copyToSystem(props.value);
    setCopied(true);
  };
  return (
    <figure className={props.code ? 'hy-Copy hy-mod-code' : 'hy-Copy'}>
      <figcaption>{props.label}</figcaption>
      <div>
        <pre data-testid={props.testId} tabIndex={0}>
          {props.value}
        </pre>
        <IconButton
          icon={copied ? doneIcon : copyIcon}
          label={trans.__('Copy: %1', props.label)}
          testId={props.testId && `${props.testId}-copy`}
          onClick={copy}
        />
      </div>
      <span className="hy-sr" aria-live="polite">
        {copied ? trans.__('Copied') : ''}
      </span>
    </figure>
  );
}
