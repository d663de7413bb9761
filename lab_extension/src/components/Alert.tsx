/** An alert: what went wrong, and how to try again. */
import * as React from 'react';
import { useHubyard } from '../hubyard';
import { TextButton } from './Button';

interface IAlertProps {
  readonly message: string;
  readonly note?: string | null;
  readonly onRetry?: () => void;
}

export function Alert(props: IAlertProps): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <div className="hy-Alert" role="alert" data-testid="hy-alert">
      <p>{props.message}</p>
      {props.note != null && <p className="hy-Alert-note">{props.note}</p>}
      {props.onRetry && (
        <TextButton onClick={props.onRetry} testId="hy-retry">
          {trans.__('Retry')}
        </TextButton>
      )}
    </div>
  );
}
