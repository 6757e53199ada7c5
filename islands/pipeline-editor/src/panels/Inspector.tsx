// What is selected, with all that can be changed of it.
import { memo, type ReactElement } from "react";
import type { Actions } from "../actions";
import { KINDS, titleOf } from "../canvas/words";
import type { Session, Snapshot } from "../document/session";
import { Icon } from "../Icon";
import { Words } from "../Words";
import type { Graph, GraphNode } from "../wire";
import { shownValue, TextField, typedValue, TYPES } from "./fields";
import { PipelineFacts } from "./PipelineFacts";
import { StepFields } from "./StepFields";

export interface PanelProps {
  session: Session;
  snapshot: Snapshot;
  actions: Actions;
}

export const Inspector = memo(function Inspector({ session, snapshot, actions }: PanelProps): ReactElement {
  const { selection, graph } = snapshot;
  const node = selection.length === 1 ? session.node(selection[0] as string) : undefined;
  return (
    <section
      className="inspector"
      aria-label="Inspector"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !node) return;
        event.preventDefault();
        actions.focus(node.id);
      }}
    >
      {node && graph ? (
        <NodeFields key={`${session.level.main} ${session.level.path.join("/")} ${node.id}`} session={session} snapshot={snapshot} actions={actions} node={node} graph={graph} />
      ) : selection.length > 1 ? (
        <Several session={session} actions={actions} ids={selection} />
      ) : (
        <PipelineFacts session={session} snapshot={snapshot} actions={actions} />
      )}
    </section>
  );
});

function Several({ session, actions, ids }: { session: Session; actions: Actions; ids: readonly string[] }): ReactElement {
  return (
    <>
      <h2>{ids.length} nodes</h2>
      <p className="soft">{ids.join(", ")}</p>
      <div className="cluster">
        <button type="button" className="button small" onClick={() => void actions.copy()}><Icon name="copy" /> Copy</button>
        {session.writable && <button type="button" className="button small danger" onClick={() => void actions.remove(ids)}><Icon name="trash" /> Remove</button>}
      </div>
    </>
  );
}

interface NodeProps extends PanelProps {
  node: GraphNode;
  graph: Graph;
}

function NodeFields({ session, snapshot, actions, node, graph }: NodeProps): ReactElement {
  const readOnly = !session.writable;
  const set = (field: string, value: string): void => void session.edit({ edit: "SetField", path: pathOf(node, field), value: value || null });
  const rename = async (id: string): Promise<void> => {
    const place = session.placeOf(node.id);
    const effects = place ? [session.effectOfPlace(node.id, null), session.effectOfPlace(id, place)] : [];
    await session.edit({ edit: "Rename", node: node.id, to: id }, { effects, select: [id], spoken: `Now called ${id}.` });
  };
  return (
    <>
      <header>
        <p className="eyebrow">{KINDS[node.kind]}</p>
        <h2>{titleOf(node)}</h2>
        <div className="cluster">
          {node.sub && <button type="button" className="button small" onClick={() => session.openInside(node)}><Icon name="open" /> Open inside</button>}
          {(node.ports_in.length > 0 || node.ports_out.length > 0) && !readOnly && (
            <button type="button" className="button small" onClick={() => actions.around.open({ kind: "connect", node: node.id, port: (node.ports_out[0] ?? node.ports_in[0])?.id ?? "", side: node.ports_out.length ? "out" : "in" })}>Connect…</button>
          )}
          {node.kind === "step" && session.level.way && session.settings.urls.test && (
            <button type="button" className="button small" onClick={() => void actions.test([...(session.level.way ?? []), node.id].join("/"))}><Icon name="launch" /> Test alone</button>
          )}
          {!readOnly && <button type="button" className="button small danger" onClick={() => void actions.remove([node.id])}><Icon name="trash" /> Remove</button>}
        </div>
      </header>
      {node.problems.length > 0 && (
        <ul className="problem-list" aria-label="Problems of this node">
          {node.problems.map((problem, number) => (
            <li key={number} data-severity={problem.severity}>
              <strong><Words text={problem.message} /></strong> <Words text={problem.advice} />
            </li>
          ))}
        </ul>
      )}
      <TextField label="Name" code value={node.id} disabled={readOnly} hint="Letters, digits, _ and -; what other lines call it." onCommit={(value) => void rename(value.trim())} />
      <TextField label="Label" value={node.label} disabled={readOnly} onCommit={(value) => set("label", value)} />
      <TextField label="Description" rows={2} value={node.doc} disabled={readOnly} onCommit={(value) => set("doc", value)} />
      {node.kind === "step" ? (
        <StepFields session={session} snapshot={snapshot} actions={actions} node={node} graph={graph} />
      ) : (
        <PortFields session={session} snapshot={snapshot} actions={actions} node={node} graph={graph} />
      )}
    </>
  );
}

function PortFields({ session, actions, node, graph }: NodeProps): ReactElement {
  const readOnly = !session.writable;
  const port = node.kind === "input" ? node.ports_out[0] : node.ports_in[0];
  const links = graph.links.filter((link) => link.source_node === node.id || link.target_node === node.id);
  return (
    <>
      <TextField label="Type" code value={port?.type ?? ""} options={TYPES} disabled={readOnly} hint="A CWL type: File, string[], int? …" onCommit={(type) => void session.edit({ edit: "SetType", node: node.id, type: type.trim() })} />
      {node.kind === "input" && <TextField label="Default" code value={shownValue(port?.default)} disabled={readOnly} hint="A text, a number, or any value as JSON; empty for none." onCommit={(value) => void session.edit({ edit: "SetField", path: pathOf(node, "default"), value: typedValue(value) })} />}
      <TextField label="Format" value={port?.format ?? ""} disabled={readOnly} hint="The address of a file format, such as one of EDAM." onCommit={(value) => void session.edit({ edit: "SetField", path: pathOf(node, "format"), value: value.trim() || null })} />
      <h3>{node.kind === "input" ? "Feeds" : "Comes from"}</h3>
      <ul className="links" role="list">
        {links.map((link) => (
          <li key={link.id}>
            <code>{node.kind === "input" ? `${link.target_node}/${link.target_port}` : `${link.source_node}${link.source_port === link.source_node ? "" : `/${link.source_port}`}`}</code>
            {!readOnly && <button type="button" className="button small quiet" aria-label={`Disconnect ${link.target_node} ${link.target_port}`} onClick={() => actions.disconnect(link)}><Icon name="cross" /></button>}
          </li>
        ))}
        {links.length === 0 && <li className="soft">nothing yet</li>}
      </ul>
    </>
  );
}

function pathOf(node: GraphNode, field: string): readonly string[] {
  return [`${node.kind}s`, node.id.replace(/^output:/, ""), field];
}
