"""The Pulumi program: read the stack file, build what it declares, export what was made."""

import pulumi

from pki.components.debug_log import withhold_outputs_from_debug_log
from postseal.stack.build import build_stack, read_configuration
from postseal.stack.outputs import stack_outputs

withhold_outputs_from_debug_log()
for name, value in stack_outputs(build_stack(read_configuration())).items():
    pulumi.export(name, value)
