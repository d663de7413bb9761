/** Models: registered models, their versions and aliases. */
import * as React from 'react';
import type { Model, ModelVersion } from '../api/types';
import { TextButton } from '../components/Button';
import { Empty } from '../components/Empty';
import { Loaded } from '../components/Loaded';
import { Moment } from '../components/Moment';
import { Row, RowList } from '../components/Rows';
import { RunLink } from '../components/RunLink';
import { Section } from '../components/Section';
import { openDeploy } from '../dialogs/deploy';
import { numberText } from '../format';
import { usePollState } from '../hooks';
import { useHubyard } from '../hubyard';
import { mainMetrics } from '../metrics';
import { useSections } from './model';

const METRICS = 2;

export function Models(): React.JSX.Element {
  const { polls, trans } = useHubyard();
  const sections = useSections();
  const count = usePollState(polls.models).data?.length;
  return (
    <Section
      id="models"
      title={trans.__('Models')}
      polls={[polls.models]}
      badge={count}
    >
      <Loaded poll={polls.models}>
        {models =>
          models.length === 0 ? (
            <Empty
              text={trans.__(
                'A registered model has a name and numbered versions, ready to deploy. Press Register on a tracked run.'
              )}
              action={{
                label: trans.__('Choose a tracked run'),
                run: () => {
                  sections.reveal('experiments');
                }
              }}
            />
          ) : (
            models.map(model => <ModelGroup key={model.name} model={model} />)
          )
        }
      </Loaded>
    </Section>
  );
}

function ModelGroup({ model }: { readonly model: Model }): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <div className="hy-Group" data-testid="hy-model" data-id={model.name}>
      <h3 title={model.name}>
        <a href={model.url} target="_blank" rel="noopener noreferrer">
          {model.name}
        </a>
      </h3>
      <RowList
        label={trans.__('Versions of %1', model.name)}
        items={model.versions}
      >
        {version => <VersionRow key={version.version} version={version} />}
      </RowList>
    </div>
  );
}

function VersionRow(props: {
  readonly version: ModelVersion;
}): React.JSX.Element {
  const hubyard = useHubyard();
  const { trans } = hubyard;
  const { version } = props;
  const name = trans.__('Version %1', version.version);
  return (
    <Row
      id={`${version.model}/${version.version}`}
      name={[name, ...version.aliases.map(alias => `@${alias}`)].join(' ')}
      title={
        <>
          {name}
          {version.aliases.map(alias => (
            <span className="hy-Alias" key={alias}>
              @{alias}
            </span>
          ))}
        </>
      }
      facts={[
        ...mainMetrics(version.metrics, METRICS).map(([metric, value]) => (
          <span key={metric}>
            {metric} <b>{numberText(value)}</b>
          </span>
        )),
        version.unservable != null && (
          <span key="unservable" title={version.unservable}>
            {trans.__('Cannot be served')}
          </span>
        ),
        version.cost && trans.__('%1 to train', version.cost.text),
        <Moment key="at" at={version.created_at} />,
        version.run && (
          <RunLink key="run" run={version.run}>
            {trans.__('Its run')}
          </RunLink>
        )
      ]}
      actions={
        <TextButton
          testId="hy-deploy"
          label={trans.__(
            'Deploy %1 version %2',
            version.model,
            version.version
          )}
          onClick={() => void openDeploy(hubyard, version)}
        >
          {trans.__('Deploy')}
        </TextButton>
      }
    />
  );
}
