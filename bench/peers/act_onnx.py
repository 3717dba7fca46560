"""A peer to measure against: one action from one observation by ONNX Runtime, a network 64-64 tanh.

    act_onnx.py [--obs 4] [--actions 2] [--seconds 0.2] [--serve]

Needs: onnxruntime, onnx (to write the graph), numpy.  Called as its users call it, from Python, with one thread; a figure that
holds the cost of that call.
"""
import argparse

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import turns


def graph(obs, actions, hidden=64):
    rng = np.random.default_rng(0)
    sizes, nodes, weights, at = [obs, hidden, hidden, actions], [], [], "obs"
    for l, (i, o) in enumerate(zip(sizes[:-1], sizes[1:])):
        weights += [numpy_helper.from_array((rng.normal(size=(o, i)) / np.sqrt(i)).astype(np.float32), f"w{l}"),
                    numpy_helper.from_array(np.zeros(o, np.float32), f"b{l}")]
        nodes.append(helper.make_node("Gemm", [at, f"w{l}", f"b{l}"], [f"z{l}"], transB=1))
        at = f"z{l}"
        if l < 2:
            nodes.append(helper.make_node("Tanh", [at], [f"h{l}"]))
            at = f"h{l}"
    nodes.append(helper.make_node("ArgMax", [at], ["action"], axis=1, keepdims=0))
    made = helper.make_graph(nodes, "policy", [helper.make_tensor_value_info("obs", TensorProto.FLOAT, [1, obs])],
                             [helper.make_tensor_value_info("action", TensorProto.INT64, [1])], weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--obs", type=int, default=4)
    p.add_argument("--actions", type=int, default=2)
    p.add_argument("--seconds", type=float, default=0.2)
    p.add_argument("--serve", action="store_true")
    a = p.parse_args()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph(a.obs, a.actions).SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    obs = {"obs": np.zeros((1, a.obs), np.float32)}

    def measure():
        return dict(what="act", us=turns.least_us(lambda: session.run(None, obs), a.seconds))

    turns.serve("onnxruntime", measure, version=onnxruntime.__version__, onnx=onnx.__version__)


if __name__ == "__main__":
    main()
