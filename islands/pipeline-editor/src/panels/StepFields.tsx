// The inspector's part for steps: inputs, scatter, condition, what the step needs.
import type { ReactElement } from "react";
import { titleOf } from "../canvas/words";
import { Icon } from "../Icon";
import type { Graph, GraphNode, Port } from "../wire";
import { Choice, shownValue, TextField, typedValue } from "./fields";
import type { PanelProps } from "./Inspector";
import { Requirements } from "./Requirements";

interface Props extends PanelProps {
  node: GraphNode;
  graph: Graph;
}

const METHODS = [
  ["dotproduct", "pair them up (dotproduct)"],
  ["flat_crossproduct", "every combination, one list (flat_crossproduct)"],
  ["nested_crossproduct", "every combination, nested lists (nested_crossproduct)"],
] as const;

export function StepFields({ session, snapshot, actions, node, graph }: Props): ReactElement {
  const readOnly = !session.writable;
  const scatter = (ports: readonly string[], method: string): void =>
    void session.edit({ edit: "SetScatter", step: node.id, ports, method: ports.length > 1 ? method || "dotproduct" : "" }, { spoken: ports.length ? `Runs once for each of ${ports.join(", ")}.` : "Runs once." });
  return (
    <>
      {node.run && <TextField label="Runs" code value={node.run} disabled={readOnly} hint={node.missing ? "This is missing: nobody can run it." : ""} onCommit={(run) => void session.edit({ edit: "SetField", path: ["steps", node.id, "run"], value: run.trim() })} />}
      <h3>Inputs</h3>
      {node.ports_in.length === 0 && <p className="soft">It takes none.</p>}
      {node.ports_in.map((port) => <InputFields key={port.id} session={session} snapshot={snapshot} actions={actions} node={node} graph={graph} port={port} />)}
      {node.scatter.length > 1 && <Choice label="Several scattered inputs" value={node.scatter_method || "dotproduct"} choices={METHODS} disabled={readOnly} onCommit={(method) => scatter(node.scatter, method)} />}
      <h3>When it runs</h3>
      <TextField label="Condition" code value={node.when} disabled={readOnly} hint="An expression such as $(inputs.count > 3); empty: always." onCommit={(value) => void session.edit({ edit: "SetWhen", step: node.id, expression: value.trim() })} />
      <Requirements session={session} snapshot={snapshot} step={node.id} />
    </>
  );
}

function InputFields({ session, actions, node, graph, port }: Props & { port: Port }): ReactElement {
  const readOnly = !session.writable;
  const links = graph.links.filter((link) => link.target_node === node.id && link.target_port === port.id);
  const setPort = (field: string, value: unknown): void => void session.edit({ edit: "SetField", path: ["steps", node.id, "in", port.id, field], value });
  const needed = !port.optional && !port.has_default && port.default === null && !port.value_from && links.length === 0;
  const scatter = (): void => {
    const ports = port.scattered ? node.scatter.filter((one) => one !== port.id) : [...node.scatter, port.id];
    void session.edit({ edit: "SetScatter", step: node.id, ports, method: ports.length > 1 ? node.scatter_method || "dotproduct" : "" });
  };
  return (
    <details className="input-fields" open={needed || undefined}>
      <summary>
        <code>{port.id}</code> <span className="soft">{port.type}</span>
        {needed && <span className="badge" data-tone="warn">needed</span>}
        {!port.known && <span className="badge" data-tone="warn">unknown</span>}
      </summary>
      {port.doc && <p className="soft">{port.doc}</p>}
      <ul className="links" role="list">
        {links.map((link) => (
          <li key={link.id} data-fit={link.fit}>
            <span>← {titleOf(graph.nodes.find((one) => one.id === link.source_node) ?? node)}{link.source_port !== link.source_node && <> · <code>{link.source_port}</code></>}</span>
            {link.why && <small>{link.why}</small>}
            {!readOnly && <button type="button" className="button small quiet" aria-label={`Disconnect ${link.source_node} from ${port.id}`} onClick={() => actions.disconnect(link)}><Icon name="cross" /></button>}
          </li>
        ))}
      </ul>
      {!readOnly && (
        <div className="cluster">
          <button type="button" className="button small" onClick={() => actions.around.open({ kind: "connect", node: node.id, port: port.id, side: "in" })}>Connect<span className="visually-hidden"> {port.id}</span>…</button>
          {links.length === 0 && (
            <button type="button" className="button small" onClick={() => void actions.addPort("input", port.id, "", { node: node.id, port: port.id, side: "in", type: port.type, kind: "step" }, null)}>Ask at launch<span className="visually-hidden">: {port.id}</span></button>
          )}
        </div>
      )}
      <label className="check">
        <input type="checkbox" checked={port.scattered} disabled={readOnly} onChange={scatter} /> Run once for each of its values (scatter)
      </label>
      <TextField label={`Default of ${port.id}`} code value={shownValue(port.default)} disabled={readOnly} hint="A text, a number, or any value as JSON." onCommit={(value) => setPort("default", typedValue(value))} />
      <TextField label={`Value of ${port.id} by expression`} code value={port.value_from} disabled={readOnly} hint="valueFrom, such as $(self.basename)." onCommit={(value) => setPort("valueFrom", value.trim() || null)} />
      {links.length > 1 && (
        <Choice label="Several sources" value={port.link_merge} choices={[["", "one list of them (merge_nested)"], ["merge_flattened", "their lists joined (merge_flattened)"]]} disabled={readOnly} onCommit={(value) => setPort("linkMerge", value || null)} />
      )}
      {(links.length > 1 || port.pick_value) && (
        <Choice label="Of empty values" value={port.pick_value} choices={[["", "keep all"], ["first_non_null", "take the first that is there"], ["the_only_non_null", "take the only one that is there"], ["all_non_null", "take all that are there"]]} disabled={readOnly} onCommit={(value) => setPort("pickValue", value || null)} />
      )}
    </details>
  );
}
