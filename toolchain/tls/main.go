// Command pulumi-resource-tls is the tls plugin: the Terraform bridge over terraform-provider-tls, schema made at start.
package main

import (
	"context"
	"io"

	"github.com/hashicorp/terraform-provider-tls/shim"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	pftfgen "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	base "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
)

const version = "5.3.1"

func info() base.ProviderInfo {
	i := base.ProviderInfo{
		P:                              tfbridge.ShimProvider(shim.NewProvider()),
		Name:                           "tls",
		Version:                        version,
		MetadataInfo:                   base.NewProviderMetadata([]byte("{}")),
		EnableZeroDefaultSchemaVersion: true,
		EnableAccurateBridgePreview:    true,
	}
	i.MustComputeTokens(tokens.SingleModule("tls_", "index", tokens.MakeStandard("tls")))
	return i
}

func main() {
	ctx := context.Background()
	i := info()
	sink := diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
	res, err := pftfgen.GenerateSchema(ctx, pftfgen.GenerateSchemaOptions{
		ProviderInfo: i, DiagnosticsSink: sink, XInMemoryDocs: true,
	})
	if err != nil {
		panic(err)
	}
	tfbridge.Main(ctx, "tls", i, res.ProviderMetadata)
}
